-- Orders. Times are microseconds since 1970 in UTC; states and channels are the
-- values of order.v1.OrderState and order.v1.Channel without their prefix.
CREATE TABLE orders (
  order_id        TEXT   NOT NULL PRIMARY KEY,
  -- What makes CreateOrder idempotent: one row for a request id, whoever is first.
  request_id      TEXT   NOT NULL UNIQUE,
  -- SHA-256 of what the request asked for, to tell a repetition from a mix-up.
  fingerprint     BYTEA  NOT NULL,
  user_id         TEXT   NOT NULL,
  channel         TEXT   NOT NULL CHECK (channel IN ('UNSPECIFIED', 'WEB', 'APP', 'IMPORT')),
  -- Positions as an encoded order.v1.Order that has nothing else. They never
  -- change and are only read together with their order.
  items           BYTEA  NOT NULL,
  currency_code   TEXT   NOT NULL,
  total_minor     BIGINT NOT NULL CHECK (total_minor > 0),
  state           TEXT   NOT NULL CHECK (state IN ('PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLING', 'CANCELLED')),
  payment_id      TEXT   NOT NULL CHECK ((payment_id <> '') = (state IN ('CONFIRMED', 'CANCELLING', 'CANCELLED'))),
  -- Why the payment was declined; empty unless it was.
  decline_reason  TEXT   NOT NULL CHECK (decline_reason = '' OR state = 'REJECTED'),
  -- When the order entered each state. An order enters a state once at the most,
  -- so this is its whole history; WatchOrder tells it step by step.
  pending_time    BIGINT NOT NULL,
  confirmed_time  BIGINT,
  rejected_time   BIGINT,
  cancelling_time BIGINT,
  cancelled_time  BIGINT,
  -- When it entered the present state.
  update_time     BIGINT NOT NULL
);

-- The order of ListOrders.
CREATE INDEX orders_by_user ON orders (user_id, pending_time, order_id);

-- What the recovery looks for: few rows of many.
CREATE INDEX orders_unfinished ON orders (update_time, order_id) WHERE state IN ('PENDING', 'CANCELLING');
