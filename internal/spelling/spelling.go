// Package spelling finds the name that a misspelt one may stand for.
package spelling

// Nearest returns the index of the known name that takes the fewest edits to get to,
// the first of several; -1 if none takes fewer than limit.
func Nearest(name string, known []string, limit int) int {
	best := -1
	for i, k := range known {
		if d := Distance(name, k, limit); d < limit {
			best, limit = i, d
		}
	}
	return best
}

// Distance counts the octets to insert, delete, replace or swap with the next one
// that make a of b; any number from limit on is limit.
func Distance(a, b string, limit int) int {
	if max(len(a), len(b))-min(len(a), len(b)) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}
