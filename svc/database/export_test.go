package database

// IsRetryable is retryable, for the tests in package database_test.
var IsRetryable = retryable
