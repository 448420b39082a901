package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
)

// flags are what the lab can be told at its start.
type flags struct {
	listen, control, data, world string
	level                        slog.Level
	exitWithParent               bool
}

// wrongFlags tells that the command line cannot be understood.
type wrongFlags struct{ cause error }

func (w *wrongFlags) Error() string { return w.cause.Error() }

func parse(arguments []string) (flags, error) {
	var told flags
	set := flag.NewFlagSet("wagate-lab", flag.ContinueOnError)
	set.SetOutput(os.Stderr)
	set.StringVar(&told.listen, "listen", "127.0.0.1:8443", "where clients connect; loopback `ADDRESS`, port 0 for any")
	set.StringVar(&told.control, "control", "127.0.0.1:50060",
		"where wagate.lab.v1 is spoken; loopback `ADDRESS` or unix:PATH")
	set.StringVar(&told.data, "data", "", "`FOLDER` for all that the lab writes; a temporary one if not given")
	set.StringVar(&told.world, "world", "", "`FOLDER` of a saved world to start from; it is not changed")
	set.TextVar(&told.level, "log-level", slog.LevelWarn, "`LEVEL` of the log on stderr: debug, info, warn or error")
	set.BoolVar(&told.exitWithParent, "exit-with-parent", false, "end when stdin is closed")
	if err := set.Parse(arguments); err != nil {
		return told, &wrongFlags{cause: err}
	}
	if set.NArg() > 0 {
		return told, &wrongFlags{cause: fmt.Errorf("%q is no flag; all settings are, as -help tells", set.Arg(0))}
	}
	return told, nil
}
