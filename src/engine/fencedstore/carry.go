package fencedstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mau.fi/util/dbutil"
	"go.mau.fi/whatsmeow/types"
)

// ErrLinkedElsewise means that the session is linked here with another device than in its file.
var ErrLinkedElsewise = errors.New("the session is linked with another device already")

// TakeIn copies the keys of a session from its file, as one, and returns how many rows it copied: none if the device is
// here already. No table and no column is left out: what is not known here is an error.
func (s *Store) TakeIn(ctx context.Context, file *sql.DB, linked *types.JID) (rows int64, err error) {
	here, err := s.Device(ctx, "")
	if err != nil {
		return 0, err
	} else if here != nil && linked != nil && *here.ID == *linked {
		return 0, nil
	} else if here != nil {
		return 0, ErrLinkedElsewise
	}
	tables, err := tablesOf(ctx, file)
	if err != nil {
		return 0, err
	}
	err = s.used.DoTxn(ctx, nil, func(ctx context.Context) error {
		for _, of := range tables {
			copied, err := s.takeInTable(ctx, file, of, linked)
			if err != nil {
				return fmt.Errorf("carrying %s: %w", of.name, err)
			}
			rows += copied
		}
		if linked == nil {
			return nil
		}
		_, err := s.used.Exec(ctx, nameOwner, s.session, linked.String())
		return err
	})
	return rows, err
}

// table is one of a file's, and which of its columns names the device.
type table struct {
	name      string
	ofDevice  string
	truths    []string // columns that hold 1 and 0, as SQLite has no truth values
	isOurs    bool     // a session's own, which has the table to itself in a file
	mayBeHere bool     // all sessions of a tenant share it, or it was carried before
}

// referredTo are tables that others refer to: they are copied first.
var referredTo = []string{"whatsmeow_device", "whatsmeow_app_state_version"}

func tablesOf(ctx context.Context, file *sql.DB) ([]table, error) {
	found, err := file.QueryContext(ctx, `
		SELECT t.name,
			coalesce(max(CASE WHEN c.name IN ('jid', 'our_jid') THEN c.name END), ''),
			coalesce(group_concat(CASE WHEN lower(c.type) = 'boolean' THEN c.name END), '')
		FROM sqlite_master t JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name <> 'whatsmeow_version' GROUP BY t.name`)
	tables, err := dbutil.NewRowIterWithError(found, func(row dbutil.Scannable) (t table, err error) {
		var truths string
		err = row.Scan(&t.name, &t.ofDevice, &truths)
		t.truths = strings.Split(truths, ",")
		t.isOurs = strings.HasPrefix(t.name, "engine_")
		t.mayBeHere = t.isOurs || t.name == "whatsmeow_lid_map"
		return t, err
	}, err).AsList()
	slices.SortStableFunc(tables, func(a, b table) int { return a.rank() - b.rank() })
	return tables, err
}

func (t table) rank() int {
	if place := slices.Index(referredTo, t.name); place >= 0 {
		return place
	}
	return len(referredTo)
}

// takeInTable copies what a table has of the linked device, or of nobody in particular.
func (s *Store) takeInTable(ctx context.Context, file *sql.DB, of table, linked *types.JID) (count int64, err error) {
	query, args := "SELECT * FROM "+of.name, []any{}
	if of.ofDevice != "" {
		query, args = query+" WHERE "+of.ofDevice+" = ?", []any{linked}
	}
	rows, err := file.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close() //nolint:errcheck // it only reads
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	for rows.Next() {
		row, err := of.read(rows, columns)
		if err != nil {
			return 0, err
		}
		if err := s.insert(ctx, of, columns, row); err != nil {
			return 0, err
		}
		count++
	}
	return count, rows.Err()
}

func (t table) read(rows *sql.Rows, columns []string) ([]any, error) {
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	for i, column := range columns {
		if number, isNumber := row[i].(int64); isNumber && slices.Contains(t.truths, column) {
			row[i] = number != 0
		}
	}
	return row, nil
}

func (s *Store) insert(ctx context.Context, into table, columns []string, row []any) error {
	if into.isOurs {
		columns, row = append(slices.Clone(columns), "session_id"), append(row, s.session)
	}
	places := make([]string, len(columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	statement := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", into.name, strings.Join(columns, ", "), strings.Join(places, ", "))
	if into.mayBeHere {
		statement += " ON CONFLICT DO NOTHING"
	}
	_, err := s.used.Exec(ctx, statement, row...)
	return err
}
