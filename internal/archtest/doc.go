// Package archtest is the plan of the house as a test: which package may
// import which, who owns each third-party module, which files may see a secret
// in the clear, and what every source file and document must look like.
//
// The plan is in plan_test.go. A package that is not listed there may not
// exist, so that a new one, and every new edge between two, shows up in
// review as a changed line of the plan. The other files are the rules that
// read it. They look at all source files whatever their build constraints, so
// that a file for another system or without cgo is held to the plan as well.
//
// There is no product code here, and nothing imports this package.
package archtest
