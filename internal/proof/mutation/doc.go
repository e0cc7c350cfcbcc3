// Command guards shows that the tests of the promises can fail: it takes what
// keeps a promise out of the code, one piece at a time, and expects a test of
// that promise to notice.
//
//	make guards
//	make guards ARGS="-promise 2"
//
// No file is touched: what is built, the functions' binaries that the tests
// build included, is built from the tree with another text over one of its
// files (the go command's -overlay, handed down in GOFLAGS). Of template.yaml,
// which is read and not built, the tests are given another copy.
//
// This is mutation testing with mutants picked by hand: those that take away what
// a promise rests on, and none that a promise does not mind.
//
// A guard counts as seen only if the promise's tests pass with it, and in each of
// the packages that the table names one of them fails by an assertion without it,
// twice: one that fails once of two times fails for another reason. What does not compile, panics, is
// skipped or runs no test says nothing, and is an error, as is a guard whose
// text is no longer in its file exactly once. With all promises asked for, a
// promise's test that no guard brings down is one, too.
package main
