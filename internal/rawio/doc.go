// Package rawio reads and writes without the help of Go's scheduler.
//
// An ordinary read or write tells the scheduler that a system call begins. If the
// runtime's monitor (sysmon) sleeps, that wakes it, and it then looks around every 20 µs
// until the process waits again. A Lambda function waits after each step, so that each
// delivery wakes the monitor anew; that took a quarter of a delivery's processor time
// (docs/benchmarks.md). The scheduler has to know of system calls that block. Those on a
// connection do not: Go makes each connection non-blocking, and waits in its poller.
//
// On other systems than Linux, and under the race detector, which learns from ordinary
// calls what happened before what, everything is left as it is.
package rawio
