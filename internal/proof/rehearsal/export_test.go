package main

// Run is the program without its process.
var Run = run

// Command runs a program to its end.
var Command = command
