// Package inboxtest looks at the inbox as people do: in a real browser.
//
// [Open] runs a local stack with the page, on a made-up day. "make browser" runs the tests.
// They drive Chromium (Debian's package chromium). axe-core, which "make" installs under
// .tools/, looks for what keeps people from using the page.
//
// "make pictures" writes the pictures of docs/.
package inboxtest
