// Reports each line of standard input as a token; at its end closes, and prints facts as JSON.
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"

	"drive/observatory"
)

func main() {
	reporter := observatory.New(os.Args[1])
	calls, longest := 0, time.Duration(0)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); calls++ {
		token := lines.Text()
		before := time.Now()
		reporter.Report("driver", token)
		if took := time.Since(before); took > longest {
			longest = took
		}
	}
	reporter.Close()
	fmt.Printf(`{"calls":%d,"dropped":%d,"longest_us":%d}`+"\n", calls, reporter.Dropped(), longest.Microseconds())
}
