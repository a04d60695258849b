-- Whether the payment of an order, and its refund, go through the outbox. Orders
-- of earlier releases do not; those of them that are half way are adopted (see
-- adopt.go).
ALTER TABLE orders ADD COLUMN deferred BOOLEAN NOT NULL DEFAULT FALSE;
