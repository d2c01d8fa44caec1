// Package broker runs an hsm.Module in a process of its own.
//
// PKCS#11 libraries crash, hang, leak, and recover from a lost token only by
// being started anew. In a child process none of that reaches the daemon, and
// "start anew" is killing the child. The daemon itself then needs no cgo.
//
// Start spawns the child, the same binary with a hidden subcommand, over a
// socket pair, hands it the PIN as its first message (arguments and environment
// can be read by others) and implements hsm.Module by calling it. Serve is the
// other end. Neither knows PKCS#11: who runs the child says how to open a
// module.
//
// While there is no child that has its token, calls fail at once with
// hsm.ErrUnavailable, and a new child is tried at least twice a second. A call
// that was under way when its child died fails too, and is never repeated: the
// child may have carried it out.
package broker
