package keystore

import (
	"context"
	"fmt"
	"time"
)

const createNotices = `
CREATE TABLE IF NOT EXISTS engine_history_notice (
	message_id  TEXT    NOT NULL PRIMARY KEY,
	arrived_at  INTEGER NOT NULL, -- Unix seconds, by WhatsApp's clock
	notice      BLOB    NOT NULL  -- a HistorySyncNotification of whatsmeow's waE2E
)`

// KeepHistoryNotice stores where a part of the phone's history can be fetched. WhatsApp says it once.
func (k *Keystore) KeepHistoryNotice(ctx context.Context, messageID string, arrived time.Time, notice []byte) error {
	_, err := k.db.ExecContext(ctx,
		"INSERT INTO engine_history_notice (message_id, arrived_at, notice) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
		messageID, arrived.Unix(), notice)
	if err != nil {
		return fmt.Errorf("keeping a history notice: %w", err)
	}
	return nil
}
