// Command etcd is etcd as its own release builds it: that main package belongs to a
// module that is not versioned, so it cannot be installed by version.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
