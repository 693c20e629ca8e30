// Command workload is what runs in the containers of tests/e2e: nothing, until it is told to end.
// With the argument `once` it ends well at once. It is the pause container of pods, too.
package main

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

func main() {
	if slices.Contains(os.Args, "once") {
		return
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	<-ended
}
