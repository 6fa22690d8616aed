package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bicepcheck ROOT")
		os.Exit(2)
	}
	found, err := run(context.Background(), os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bicepcheck:", err)
		os.Exit(2)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, root string) ([]Finding, error) {
	folder, err := typesFolder(ctx)
	if err != nil {
		return nil, err
	}
	types, err := openCatalog(folder)
	if err != nil {
		return nil, err
	}
	return check(os.DirFS(root), types)
}
