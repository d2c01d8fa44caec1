// Package attesttest is a machine with SEV-SNP for tests: a Vendor stands in for
// AMD, with roots of its own, and a Machine for a guest on a chip that the vendor
// certified.
//
// A Machine is a guest device in the test's process (Device), which derives keys
// too, or a folder that behaves as configfs-tsm and that any process can use
// (MountTSM), the unmodified daemon included: it takes the folder's path as a
// setting. Nothing of this is trusted by the product. A vendor's roots are drawn
// when the vendor is made, their keys are never written down, and a policy has to
// name them in its roots to accept what they certify.
package attesttest
