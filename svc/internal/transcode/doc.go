// Package transcode makes messages of HTTP requests, and HTTP responses of messages, as
// google.api.http says. It knows nothing of routing: a [Plan] is made once for each
// route, and gets the parts of a request.
//
// # Where a field comes from
//
//   - A variable of the path sets the field that it names, whatever the body says.
//   - The body is the whole message, or one field of it, in proto3 JSON. A
//     google.api.HttpBody takes it as it is. An empty body sets nothing.
//   - Query parameters set the other fields, by their names in the contract or in JSON,
//     with dots between levels: "filter.minPrice=3". A repeated field is a parameter that
//     is repeated, an entry of a map is "labels[team]=core". With the whole message as the
//     body there are none.
//
// Values in paths and queries are what proto3 JSON accepts as a string, or as a number or
// a boolean without quotes.
//
// # What is refused
//
// What a message cannot hold, or what says two things of one field, is refused with a
// google.rpc.BadRequest that lists all that is wrong with path and query, and the first
// fault of the body. Fields have the names that the contract gives them.
package transcode
