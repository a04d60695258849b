// Package id makes the identifiers that the services give to what they store.
package id

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

// New returns a UUID of version 7 (RFC 9562): milliseconds since 1970, then 74
// random bits. New rows land at the end of an index, and nobody can guess one.
func New() string { return at(time.Now()) }

// at returns a UUID of version 7 made at the time t.
func at(t time.Time) string {
	var u [16]byte
	rand.Read(u[6:]) // never fails: it ends the process instead
	binary.BigEndian.PutUint16(u[0:], uint16(t.UnixMilli()>>32))
	binary.BigEndian.PutUint32(u[2:], uint32(t.UnixMilli()))
	u[6] = u[6]&0x0f | 0x70 // version 7
	u[8] = u[8]&0x3f | 0x80 // the variant of RFC 9562

	var text [36]byte
	hex.Encode(text[0:], u[0:4])
	hex.Encode(text[9:], u[4:6])
	hex.Encode(text[14:], u[6:8])
	hex.Encode(text[19:], u[8:10])
	hex.Encode(text[24:], u[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// Canonical returns a UUID in the form in which it is stored. The letters of a
// UUID may come in either case (RFC 9562, section 4) and mean the same.
func Canonical(uuid string) string { return strings.ToLower(uuid) }
