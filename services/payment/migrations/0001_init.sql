-- Payments. Times are microseconds since 1970 in UTC; states are the values of
-- payment.v1.PaymentState without their prefix.
CREATE TABLE payments (
  payment_id     TEXT   NOT NULL PRIMARY KEY,
  -- What makes Authorize idempotent: one row for a reference, whoever is first.
  reference      TEXT   NOT NULL UNIQUE,
  payer_id       TEXT   NOT NULL,
  currency_code  TEXT   NOT NULL,
  amount_minor   BIGINT NOT NULL CHECK (amount_minor > 0),
  state          TEXT   NOT NULL CHECK (state IN ('AUTHORIZED', 'CAPTURED', 'REFUNDED', 'DECLINED')),
  -- Why the money was refused; empty unless it was.
  decline_reason TEXT   NOT NULL CHECK ((decline_reason <> '') = (state = 'DECLINED')),
  create_time    BIGINT NOT NULL,
  update_time    BIGINT NOT NULL
);
