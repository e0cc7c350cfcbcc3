// Package inbox is the page that people keep open: who waits to be called back, what
// became of a day's calls, what is known of a caller. It shows what package lookup finds,
// and stores hand acts.
//
// Pages are made on the server and work without script. With it, the list changes when
// the table does: the browser is told that something changed (server-sent events), asks
// for the page that it shows once more, and puts the new list in place of the old one.
//
// # Who may see it
//
// Whoever can open the page reads people's names and numbers, so it is made for the
// machine on which it runs:
//
//   - It listens on a loopback address only.
//   - A request has to name a loopback host. Otherwise a page elsewhere could have its
//     own name lead to this machine, and read (DNS rebinding).
//   - A request that another site causes is refused, whether it reads or writes.
//   - The URL that is printed holds a token, which is new in each run. It is exchanged for
//     a cookie that no script can read, and the browser goes on without it.
//   - The browser is told to load nothing from elsewhere, to run no script but ours, and
//     to keep nothing.
//
// No log line has a URL, a name or a number in it.
package inbox
