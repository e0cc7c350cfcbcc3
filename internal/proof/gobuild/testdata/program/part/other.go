//go:build ignore

package part
