package control

import (
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/lab/oracle"
)

// WatchOracle implements the contract. It reads what is on disk, never what is
// yet to be written.
func (c *Control) WatchOracle(
	request *labv1.WatchOracleRequest, stream grpc.ServerStreamingServer[labv1.WatchOracleResponse],
) error {
	position := uint64(max(request.GetAfterPosition(), 0))
	log := c.world.Server.Oracle()
	for {
		changed := log.Changed()
		entries, err := log.Entries(position)
		if err != nil {
			return told(err)
		}
		for _, entry := range entries {
			if err = stream.Send(&labv1.WatchOracleResponse{Entry: entryOf(entry)}); err != nil {
				return err
			}
			position = entry.Sequence
		}
		if request.GetUntilNow() {
			return nil
		}
		if err = c.await(stream.Context(), changed); err != nil {
			return err
		}
	}
}

var kinds = map[oracle.What]labv1.OracleEntry_Kind{
	oracle.Login:     labv1.OracleEntry_KIND_LOGIN,
	oracle.Logout:    labv1.OracleEntry_KIND_LOGOUT,
	oracle.Accepted:  labv1.OracleEntry_KIND_ACCEPTED,
	oracle.Refused:   labv1.OracleEntry_KIND_REFUSED,
	oracle.Delivered: labv1.OracleEntry_KIND_DELIVERED,
	oracle.Confirmed: labv1.OracleEntry_KIND_CONFIRMED,
	oracle.Receipt:   labv1.OracleEntry_KIND_FORWARDED,
	oracle.Linked:    labv1.OracleEntry_KIND_LINKED,
	oracle.Unlinked:  labv1.OracleEntry_KIND_UNLINKED,
}

// stanzas says which stanza each fact is about; the others are about devices.
var stanzas = map[oracle.What]string{
	oracle.Accepted: "message", oracle.Refused: "message", oracle.Delivered: "message",
	oracle.Confirmed: "message", oracle.Receipt: "receipt",
}

func entryOf(entry oracle.Entry) *labv1.OracleEntry {
	return &labv1.OracleEntry{
		Position:                  int64(entry.Sequence),
		Time:                      timestamppb.New(entry.Time),
		Kind:                      kinds[entry.What],
		Account:                   e164(entry.Account),
		Device:                    int32(entry.Device),
		Peer:                      e164(entry.Peer),
		ProviderMessageId:         entry.ID,
		FurtherProviderMessageIds: entry.IDs,
		Stanza:                    stanzas[entry.What],
		Type:                      entry.Type,
		Edit:                      entry.Edit,
		Connection:                int64(entry.Connection),
		RefuseCode:                numberOf(entry.Error),
		FromJid:                   entry.From,
		ToJid:                     entry.To,
		OwnDevice:                 entry.OwnDevice,
		FromQueue:                 entry.Offline,
	}
}

// numberOf reads an error number as stanzas carry it; 0 if there is none.
func numberOf(text string) int32 {
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0
	}
	return int32(number)
}
