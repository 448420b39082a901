package main

import (
	"fmt"
	"log/slog"

	waLog "go.mau.fi/whatsmeow/util/log"
)

// personLog writes what the persons' clients tell into the lab's log.
type personLog struct{ log *slog.Logger }

func (p personLog) Debugf(text string, values ...any) { p.log.Debug(fmt.Sprintf(text, values...)) }
func (p personLog) Infof(text string, values ...any)  { p.log.Info(fmt.Sprintf(text, values...)) }
func (p personLog) Warnf(text string, values ...any)  { p.log.Warn(fmt.Sprintf(text, values...)) }
func (p personLog) Errorf(text string, values ...any) { p.log.Error(fmt.Sprintf(text, values...)) }

func (p personLog) Sub(module string) waLog.Logger {
	return personLog{p.log.With("module", module)}
}
