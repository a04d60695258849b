package errors

import stderrors "errors"

// Case is what to do about one error of a contract.
type Case[T any] struct {
	Code *Code
	Do   func(*Error) T
}

// Match calls the case of an error and returns its result. Without a case,
// because the error is one of the runtime's or not of the contract, it returns
// false. Generated code has a Match for each method, with a case for each error
// that the method declares.
func Match[T any](err error, cases ...Case[T]) (result T, matched bool) {
	var typed *Error
	if !stderrors.As(err, &typed) {
		return result, false
	}
	for _, c := range cases {
		if c.Code.same(typed.code()) {
			return c.Do(typed), true
		}
	}
	return result, false
}
