-- Users. Times are microseconds since 1970 in UTC; states are the values of
-- user.v1.UserState without their prefix.
CREATE TABLE users (
  user_id      TEXT   NOT NULL PRIMARY KEY,
  -- As the user writes it.
  email        TEXT   NOT NULL,
  -- In lower case: what makes an address belong to one user.
  email_key    TEXT   NOT NULL UNIQUE,
  display_name TEXT   NOT NULL CHECK (display_name <> ''),
  state        TEXT   NOT NULL CHECK (state IN ('ACTIVE', 'DEACTIVATED')),
  create_time  BIGINT NOT NULL,
  update_time  BIGINT NOT NULL
);

-- The order of ListUsers.
CREATE INDEX users_by_age ON users (create_time, user_id);
