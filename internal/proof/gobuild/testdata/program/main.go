package main

import (
	"fmt"

	"github.com/ringback/ringback/internal/proof/gobuild/testdata/program/part"
)

func main() { fmt.Println(part.Word) }
