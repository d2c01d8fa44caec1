// Package appliance is the whole of oneclawd put together: configuration,
// the order in which its parts start and stop, and the wiring between them.
//
// It is the only package that knows the concrete type of more than one part.
// Keys are opened in one place, Start, and everything that uses them holds
// the same hsm.Gate. Long-lived goroutines are started here and nowhere else.
package appliance
