package idempotency

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// fingerprint tells requests apart: SHA-256 over all fields that are set but the
// key, by number. It is stored, so it must not change for the same request; the
// wire form of a message gives no such promise. It stays the same when fields
// are renamed, added, or get a type that reads the same wire form, and across
// versions of this module.
//
// Fields that this version of the contract does not know are left out, as the
// handler does not see them either. A message inside an Any counts as its bytes.
func fingerprint(m protoreflect.Message, key protoreflect.Name) []byte {
	h := digest{sha256.New()}
	h.message(m, key)
	return h.Sum(nil)
}

// digest writes everything with a length or a fixed size, so that no two
// messages write the same bytes.
type digest struct{ hash.Hash }

func (h digest) message(m protoreflect.Message, without protoreflect.Name) {
	fields := map[int]protoreflect.FieldDescriptor{}
	for fd := range m.Range {
		if fd.Name() != without {
			fields[int(fd.Number())] = fd
		}
	}
	h.number(uint64(len(fields)))
	for _, n := range slices.Sorted(maps.Keys(fields)) {
		fd := fields[n]
		h.number(uint64(n))
		h.field(fd, m.Get(fd))
	}
}

func (h digest) field(fd protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch {
	case fd.IsList():
		list := v.List()
		h.number(uint64(list.Len()))
		for i := range list.Len() {
			h.single(list.Get(i))
		}
	case fd.IsMap():
		h.entries(v.Map())
	default:
		h.single(v)
	}
}

// entries writes a map by the order of its encoded keys.
func (h digest) entries(m protoreflect.Map) {
	var entries []string
	for k, v := range m.Range {
		entry := digest{sha256.New()}
		entry.single(k.Value())
		entry.single(v)
		entries = append(entries, string(entry.Sum(nil)))
	}
	slices.Sort(entries)
	h.number(uint64(len(entries)))
	for _, entry := range entries {
		h.Write([]byte(entry))
	}
}

func (h digest) single(v protoreflect.Value) {
	switch x := v.Interface().(type) {
	case protoreflect.Message:
		h.message(x, "")
	case string:
		h.text([]byte(x))
	case []byte:
		h.text(x)
	case bool:
		if x {
			h.number(1)
		} else {
			h.number(0)
		}
	case int32:
		h.number(uint64(int64(x)))
	case int64:
		h.number(uint64(x))
	case uint32:
		h.number(uint64(x))
	case uint64:
		h.number(x)
	case float32:
		h.number(uint64(math.Float32bits(x)))
	case float64:
		h.number(math.Float64bits(x))
	case protoreflect.EnumNumber:
		h.number(uint64(int64(x)))
	}
}

func (h digest) number(n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	h.Write(b[:])
}

func (h digest) text(b []byte) {
	h.number(uint64(len(b)))
	h.Write(b)
}
