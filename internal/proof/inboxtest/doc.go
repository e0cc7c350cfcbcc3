// Package inboxtest looks at the inbox as people do: in a real browser.
//
// [Open] runs a local stack with the page, on a made-up day. The tests drive Chromium, if
// there is one (Debian's package chromium), and say so if there is none. axe-core, which
// "make" installs under .tools/, looks for what keeps people from using the page.
//
// "make screenshots" writes the pictures of docs/.
package inboxtest
