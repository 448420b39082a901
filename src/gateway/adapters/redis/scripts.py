"""What Redis does in one step: scripts in Lua, told with each call, so that no restart forgets them.

The value of a name is `RANK PROCESS`. A later server has a higher rank; so one that was overtaken and does not know it
yet takes the name back from nobody, even if Redis forgot everything meanwhile.
"""

from __future__ import annotations

from typing import Final

REGISTER: Final = """
local rank = tonumber(ARGV[1])
local held = redis.call('GET', KEYS[1])
if held then
  local earlier = tonumber(string.match(held, '^%d+'))
  if earlier >= rank then rank = earlier + 1 end
end
rank = string.format('%.0f', rank)
redis.call('SET', KEYS[1], rank .. ' ' .. ARGV[2], 'PX', ARGV[3])
return rank
"""
"""A name's new server: KEYS name; ARGV rank at least, process, milliseconds to keep it. Returns the rank."""

RENEW: Final = """
for i, name in ipairs(KEYS) do
  local rank = ARGV[i + 2]
  local held = redis.call('GET', name)
  if not held or tonumber(string.match(held, '^%d+')) <= tonumber(rank) then
    redis.call('SET', name, rank .. ' ' .. ARGV[1], 'PX', ARGV[2])
  end
end
"""
"""Names are still served: KEYS names; ARGV process, milliseconds to keep them, the rank of each."""

LEAVE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
"""A name is not served any more: KEYS name; ARGV `RANK PROCESS`."""

ASK: Final = """
if redis.call('EXISTS', KEYS[2]) == 0 then return 'unsure' end
local held = redis.call('GET', KEYS[1])
if not held then return 'nobody' end
local server = string.match(held, ' (.*)$')
if redis.call('EXISTS', ARGV[1] .. server) == 0 then return 'nobody' end
local inbox = ARGV[2] .. server
redis.call('XADD', inbox, 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, 5))
redis.call('PEXPIRE', inbox, ARGV[4])
return 'asked'
"""
"""Hand a question to whoever serves a name: KEYS name, the asker's presence; ARGV how keys of presences and of inboxes
begin, how many entries an inbox keeps, milliseconds to keep it, and the question's fields. Returns `asked`; `nobody` if
nobody serves it, or who does is gone; `unsure` if Redis does not know the asker either, and so forgot everything.
"""
