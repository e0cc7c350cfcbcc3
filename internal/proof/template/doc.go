// Package template has nothing but tests: of what template.yaml says and no
// tool checks, such as what each role may do, that metrics count the lines that
// the functions really write, and that every alarm is explained in
// docs/operations.md.
package template
