package user

import (
	"strings"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
)

// The states of a user, short. A user starts as active; the one move is from
// active to deactivated, and there is no way back.
const (
	active      = userv1.UserState_USER_STATE_ACTIVE
	deactivated = userv1.UserState_USER_STATE_DEACTIVATED
)

// statePrefix is what all names of the enum start with.
const statePrefix = "USER_STATE_"

// stateName is how a state is stored: "ACTIVE".
func stateName(s userv1.UserState) string { return strings.TrimPrefix(s.String(), statePrefix) }

// stateOf is the inverse of stateName. A name of a later version is unspecified.
func stateOf(name string) userv1.UserState {
	return userv1.UserState(userv1.UserState_value[statePrefix+name])
}
