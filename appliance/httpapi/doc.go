// Package httpapi is oneclawd's HTTP API: a request in, one call of a domain
// service, an answer out. It decides nothing about who may do what; that is
// the services' part.
//
// # The way of a request
//
// Server.ServeHTTP shows the stages in order: drain, request id and client
// address, security headers, CORS, rate limit, route, authentication, handler.
// What the stages learn about a request is kept in one call, which travels in
// the context; handlers see it through caller, peer and keyWasRight. Whatever
// happens, one access line is logged and no panic escapes.
//
// # A resource is a file
//
// Each resource has one file with its handlers and a method that lists them:
//
//	func (s *Server) vaultRoutes() []route {
//		return []route{
//			handle(post, "/v1/vaults", "createVault", s.createVault, status(201)),
//			handle(get, "/v1/vaults/{vault_id}", "getVault", s.getVault),
//		}
//	}
//
// handle is the only way a route comes to exist, and the only place that knows
// huma, the library that turns the handler's types into validation and into
// the OpenAPI document. A route needs an authenticated principal unless it is
// marked public. Numbers in paths and queries are 64 bits wide, with a maximum
// where less is meant.
//
// # Refusals
//
// Handlers return the services' errors as they are. problem.go turns them into
// RFC 9457 bodies; an error that is not a fault.Error becomes a 500 without its
// text. What the library itself refuses (malformed JSON, a missing field)
// passes rejection.go, which names the field and the reason and never repeats
// what was sent: a secret in the wrong field must not come back in an error, or
// reach a log.
//
// # Tests
//
// There are two harnesses. world has fake services and routes of its own: it
// tests the stages. live wires the real services as the appliance does; its
// tests are named by the rule of the contract they hold, each of their answers
// is held to what strict clients read and each receipt to the audit log, and
// what a canary secret leaves behind is looked for in logs, events and files.
// Every operation has a scenario in lifecycle; one without fails the tests.
package httpapi
