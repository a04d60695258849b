// Package rpcname takes the names of RPCs apart.
package rpcname

import "strings"

// Split returns the service and the method of a name on the wire:
// "order.v1.OrderService" and "CreateOrder" of "/order.v1.OrderService/CreateOrder".
func Split(name string) (service, method string) {
	service, method, _ = strings.Cut(strings.TrimPrefix(name, "/"), "/")
	return service, method
}
