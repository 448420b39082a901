// A person whose client is Baileys. It is told what to do, and tells what happens, in lines of JSON.
import { Console } from 'node:console'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { createInterface } from 'node:readline'

import makeWASocket, { DisconnectReason, jidNormalizedUser, proto, useMultiFileAuthState, WA_CERT_DETAILS } from 'baileys'
import pino from 'pino'

globalThis.console = new Console(process.stderr) // stdout is for us alone
const agent = new Agent({ ca: readFileSync(process.env.LAB_CA_FILE) })
const logger = pino({ level: 'info' }, pino.destination(2))
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(process.env.LAB_ROOT_KEY_HEX, 'hex')

const tell = told => process.stdout.write(`${JSON.stringify(told)}\n`)

// An address is E.164 with `+`, or a JID.
const jid = address => (address.startsWith('+') ? `${address.slice(1)}@s.whatsapp.net` : address)

const receiptKinds = {
	[proto.WebMessageInfo.Status.DELIVERY_ACK]: 'delivered',
	[proto.WebMessageInfo.Status.READ]: 'read'
}

const toldMessage = ({ key, pushName, message }) => ({
	id: key.id,
	chat: key.remoteJid,
	sender: jidNormalizedUser(key.participant || key.remoteJid),
	sender_other: jidNormalizedUser(key.participantAlt || key.remoteJidAlt),
	sender_name: pushName,
	text: message?.conversation || message?.extendedTextMessage?.text || '',
	quoted: message?.extendedTextMessage?.contextInfo?.stanzaId || ''
})

const { state: auth, saveCreds } = await useMultiFileAuthState('baileys')
const sent = new Map() // by its id, for those who could not read it
const received = new Map() // by its id
const config = {
	auth,
	agent,
	fetchAgent: agent,
	logger,
	waWebSocketUrl: `wss://${process.env.LAB_ADDRESS}/ws/chat`,
	shouldSyncHistoryMessage: () => false, // the lab's phone has no history to send
	getMessage: async ({ id }) => sent.get(id),
	emitOwnEvents: false
}
let socket

// Only what a client confirms that is looked at is shown as delivered; and that needs a name, which a phone would send.
const lookAtIt = async () => {
	auth.creds.me.name = process.env.LAB_NAME
	await socket.sendPresenceUpdate('available')
	tell({ state: 'connected' })
}

// The server wants the client to connect anew once it is paired.
const connect = () => {
	socket = makeWASocket(config)
	socket.ev.on('creds.update', saveCreds)
	socket.ev.on('connection.update', ({ connection, lastDisconnect, qr }) => {
		if (qr) tell({ qr })
		if (connection === 'open') lookAtIt()
		if (connection !== 'close') return
		const reason = lastDisconnect?.error?.output?.statusCode
		if (reason === DisconnectReason.restartRequired) connect()
		else tell({ state: DisconnectReason[reason] ?? 'disconnected' })
	})
	socket.ev.on('messages.upsert', ({ messages }) => {
		for (const message of messages.filter(message => !message.key.fromMe)) {
			received.set(message.key.id, message)
			tell({ message: toldMessage(message) })
		}
	})
	socket.ev.on('messages.update', changes => {
		for (const { key, update } of changes) {
			const kind = receiptKinds[update.status]
			if (kind) tell({ receipt: { kind, ids: [key.id] } })
		}
	})
}

const say = async (to, text, options) => {
	const { key, message } = await socket.sendMessage(to, { text }, options)
	sent.set(key.id, message)
	tell({ said: key.id })
}

const doing = {
	say: ({ to, text }) => say(jid(to), text),
	reply: ({ id, text }) => say(received.get(id).key.remoteJid, text, { quoted: received.get(id) }),
	read: ({ id }) => socket.readMessages([received.get(id).key])
}

connect()
for await (const line of createInterface({ input: process.stdin })) {
	const [[what, order]] = Object.entries(JSON.parse(line))
	await doing[what](order)
}
process.exit()
