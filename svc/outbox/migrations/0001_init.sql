-- Calls that are made after the transaction which asks for them. Times are
-- microseconds since 1970 in UTC.
CREATE TABLE svc_outbox (
  id           TEXT    NOT NULL PRIMARY KEY,
  -- Full name of the method on the wire, "/payment.v1.PaymentService/Refund".
  method       TEXT    NOT NULL,
  -- Messages of one key are delivered one after the other, by seq.
  message_key  TEXT    NOT NULL,
  seq          BIGINT  NOT NULL,
  request      BYTEA   NOT NULL,
  -- JSON: the trace context and the outgoing metadata of the call that asked.
  headers      BYTEA   NOT NULL,
  enqueue_time BIGINT  NOT NULL,
  -- When it is due; while somebody delivers it, when their lease ends.
  due_time     BIGINT  NOT NULL,
  -- Who delivers it; empty: nobody.
  owner        TEXT    NOT NULL,
  attempts     BIGINT  NOT NULL,
  -- Attempts that the callee or the outcome's handler failed.
  failures     BIGINT  NOT NULL,
  -- Given up after too many failures, until somebody sets it to FALSE.
  parked       BOOLEAN NOT NULL,
  last_error   TEXT    NOT NULL
);

CREATE INDEX svc_outbox_by_key ON svc_outbox (message_key, seq, id);

CREATE INDEX svc_outbox_by_due_time ON svc_outbox (method, due_time) WHERE NOT parked;
