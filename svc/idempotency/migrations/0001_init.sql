-- Requests by their idempotency keys, and how they were answered. Times are
-- microseconds since 1970 in UTC.
CREATE TABLE svc_idempotency (
  method      TEXT    NOT NULL,
  request_key TEXT    NOT NULL,
  -- What the request says, its key left out; see fingerprint.go.
  fingerprint BYTEA   NOT NULL,
  -- Who runs the handler, until when unless it says so again.
  owner       TEXT    NOT NULL,
  lease_time  BIGINT  NOT NULL,
  answered    BOOLEAN NOT NULL,
  -- The answer: the response if the code is 0, else google.rpc.Status.
  code        BIGINT  NOT NULL,
  answer      BYTEA   NOT NULL,
  expire_time BIGINT  NOT NULL,
  PRIMARY KEY (method, request_key)
);

CREATE INDEX svc_idempotency_by_expiry ON svc_idempotency (expire_time);
