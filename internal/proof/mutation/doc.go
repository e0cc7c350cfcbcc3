// Command mutation shows that the tests of the promises can fail. It takes what
// keeps a promise out of the code, one line at a time, and expects a test of that
// promise to notice.
//
//	make guards
//	make guards ARGS="-promise 2"
//
// This is mutation testing with hand-picked mutants. Each guard is marked in the
// code, or in template.yaml, at the end of its line or on a line of its own before it:
//
//	return false, WrapError("put item", err) // guard 1 webhook e2e: return true, nil
//
// The mark says which promise the line keeps, which packages have a test of that
// promise that must fail without it (by their last name; its own package where none
// is named), and what takes the line's place (nothing, if nothing follows the colon).
// Where all tests of the promise take too long, it chooses some by their names:
//
//	// guard 1 ingest e2e (OurFault|200Means): return http.StatusBadRequest, ""
//
// No file is changed. The go command builds from an overlay, which GOFLAGS hands down
// to the function binaries that tests build. Tests find another template.yaml through
// an environment variable.
//
// A guard counts as seen only if the promise's tests pass with it and one of them
// fails by an assertion without it, twice, in each of its packages. A mutant that does
// not compile, panics, skips a test or runs none proves nothing, and is an error. When
// all guards are taken out, each test of a promise must have been seen failing.
package main
