#!/usr/bin/env bash
# Guess: in a transaction of go.etcd.io/bbolt a cursor sees the same keys in both directions.
#
# What happens: while the transaction that deleted keys is open, Prev ends at the first page that they left empty, as if
# there was nothing before it, and says nothing. Next skips such pages. After Commit both see all keys, because only that
# merges empty pages.
#
# Versions: bbolt v1.5.0 with Go 1.26.8. Seen on 2026-11-30.
#   2000 of 10000 keys deleted, not committed: forward 8000, backward 4000
#   committed: forward 8000, backward 8000
#
# Why it matters to us: lists that begin with the newest are read backwards. To write less often, we tried to keep one
# transaction open and to read through it: then a caller's latest calls hid all earlier ones once some in between had
# expired. Read in a transaction that has deleted nothing, as the embedded store does, or go on before an empty page until
# there is no smaller key.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > main.go <<'EOF'
package main

import (
	"fmt"

	"go.etcd.io/bbolt"
)

func main() {
	db, err := bbolt.Open("db", 0o600, nil)
	check(err)
	key := func(i int) []byte { return fmt.Appendf(nil, "%06d", i) }
	check(db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("bucket"))
		check(err)
		for i := range 10_000 {
			check(bucket.Put(key(i), make([]byte, 100)))
		}
		return nil
	}))

	tx, err := db.Begin(true)
	check(err)
	for i := 4000; i < 6000; i++ {
		check(tx.Bucket([]byte("bucket")).Delete(key(i)))
	}
	count("2000 of 10000 keys deleted, not committed", tx)
	check(tx.Commit())
	check(db.View(func(tx *bbolt.Tx) error {
		count("committed", tx)
		return nil
	}))
}

func count(when string, tx *bbolt.Tx) {
	cursor, forward, backward := tx.Bucket([]byte("bucket")).Cursor(), 0, 0
	for key, _ := cursor.First(); key != nil; key, _ = cursor.Next() {
		forward++
	}
	for key, _ := cursor.Last(); key != nil; key, _ = cursor.Prev() {
		backward++
	}
	fmt.Printf("%s: forward %d, backward %d\n", when, forward, backward)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF

{
  go mod init example.com/backwards
  go get go.etcd.io/bbolt@v1.5.0
} 2>/dev/null
go run . | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
2000 of 10000 keys deleted, not committed: forward 8000, backward 4000
committed: forward 8000, backward 8000
EOF
