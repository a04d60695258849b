package flood

import "sync"

// prefixBytes are before each message of gRPC: whether it is compressed, and its length.
const prefixBytes = 5

// message is one that is arriving on a stream. The zero value is one that has not begun.
type message struct {
	have int    // bytes of it, and of its prefix
	left uint32 // bytes still to come, once the prefix is here; before, the length so far
}

// add is told the next bytes of a stream, which may end this message, hold others, and
// begin one more.
func (m *message) add(p []byte) {
	for len(p) > 0 {
		if m.have < prefixBytes {
			if m.have > 0 {
				m.left = m.left<<8 | uint32(p[0])
			}
			m.have, p = m.have+1, p[1:]
		} else {
			n := int(min(m.left, uint32(len(p))))
			m.have, m.left, p = m.have+n, m.left-uint32(n), p[n:]
		}
		if m.have >= prefixBytes && m.left == 0 {
			*m = message{}
		}
	}
}

// messages are those that are arriving on the streams of one connection, which is read
// and written at the same time.
type messages struct {
	mu      sync.Mutex
	streams map[uint32]message // those that are open
	last    uint32             // the last one that was opened
	held    int                // bytes of all messages that are not whole

	settledBytes, settledStreams int // what was told of both
}

// opened notes a stream. Streams are opened once: their trailers open nothing.
func (m *messages) opened(stream uint32) {
	if stream > m.last {
		m.last, m.streams[stream] = stream, message{}
	}
}

// arrived notes what came on a stream. What is on its way when the server ends a
// stream is dropped by grpc-go.
func (m *messages) arrived(stream uint32, piece []byte) {
	arriving, open := m.streams[stream]
	if !open {
		return
	}
	before := arriving
	arriving.add(piece)
	if arriving != before {
		m.held += arriving.have - before.have
		m.streams[stream] = arriving
	}
}

// ended forgets a stream, and what has come of its message.
func (m *messages) ended(stream uint32) {
	m.held -= m.streams[stream].have
	delete(m.streams, stream)
}

// settle returns by how many bytes more is held, and how many streams more are open, than
// when it was called last.
func (m *messages) settle() (bytes, streams int) {
	bytes, streams = m.held-m.settledBytes, len(m.streams)-m.settledStreams
	m.settledBytes, m.settledStreams = m.held, len(m.streams)
	return bytes, streams
}
