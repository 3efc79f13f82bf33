package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
)

//go:embed plot.svg.tmpl
var plotText string

var plotTemplate = template.Must(template.New("plot").Parse(plotText))

// The picture's measures, in its own units.
const (
	plotWidth   = 900
	plotHeight  = 424
	panelTop    = 74
	panelBottom = 350
	panelLeft   = 84
	panelWidth  = 164
	panelStep   = 272 // from one panel to the next, with room for the labels
	labelApart  = 15
)

// series are the clients drawn, the one on top last.
var series = []struct{ client, label string }{
	{goMail, "go-mail"},
	{netSMTP, "net/smtp"},
	{goSMTP, "go-smtp"},
	{ours, "invitemailer"},
	{grouped, "limit of SMTP"},
}

// picture is what the template draws.
type picture struct {
	Width, Height int
	Panels        []panel
	Rates         []mark // the lines across, with their labels at the left
}

type panel struct {
	First                    bool
	Title                    string
	Left, Right, Top, Bottom float64
	Middle                   float64
	Conns                    []mark
	Lines                    []line
}

type mark struct {
	At   float64
	Text string
}

type line struct {
	Class  string
	Path   string
	Points []point
	End    point // from which a stroke leads to the label
	Label  mark
	LabelX float64
}

type point struct{ X, Y float64 }

// draw writes the rates as a picture: a panel for each round-trip time, rate
// against connections, both axes logarithmic, so that a client whose rate grows
// with its connections is a straight line, and twice the rate is everywhere the
// same distance.
func draw(w io.Writer, r results) error {
	low, high := math.Inf(1), 0.0
	var rtts, conns []int
	for _, x := range r {
		if x.what != rate || !drawn(x.client) || x.value <= 0 {
			continue
		}
		low, high = min(low, x.value), max(high, x.value)
		if !slices.Contains(rtts, x.rtt) {
			rtts = append(rtts, x.rtt)
		}
		if !slices.Contains(conns, x.conns) {
			conns = append(conns, x.conns)
		}
	}
	if len(rtts) == 0 || len(conns) < 2 {
		return fmt.Errorf("there are no rates to draw for two numbers of connections or more")
	}
	slices.Sort(rtts)
	slices.Sort(conns)
	bottom, top := math.Log10(low/1.5), math.Log10(high*1.5)
	y := func(v float64) float64 {
		return panelBottom - (math.Log10(v)-bottom)/(top-bottom)*(panelBottom-panelTop)
	}
	p := picture{Width: plotWidth, Height: plotHeight}
	for exponent := math.Ceil(bottom); exponent <= top; exponent++ {
		v := math.Pow(10, exponent)
		p.Rates = append(p.Rates, mark{y(v), thousands(int(math.Round(v)))})
	}
	for i, rtt := range rtts {
		left := float64(panelLeft + i*panelStep)
		span := math.Log(float64(conns[len(conns)-1])) - math.Log(float64(conns[0]))
		x := func(n int) float64 {
			return left + 10 + (math.Log(float64(n))-math.Log(float64(conns[0])))/span*(panelWidth-20)
		}
		one := panel{First: i == 0, Title: fmt.Sprintf("round trips of %d ms", rtt), Left: left, Right: left + panelWidth, Top: panelTop, Bottom: panelBottom,
			Middle: left + panelWidth/2}
		if rtt == 0 {
			one.Title = "no round-trip time"
		}
		for _, n := range conns {
			one.Conns = append(one.Conns, mark{x(n), fmt.Sprint(n)})
		}
		for _, s := range series {
			l := line{Class: s.client, LabelX: left + panelWidth + 12}
			for _, n := range conns {
				if v, ok := r.find(rate, sender{rtt, n, s.client}); ok {
					l.Points = append(l.Points, point{x(n), y(v)})
				}
			}
			if len(l.Points) == 0 {
				continue
			}
			for i, q := range l.Points {
				l.Path += fmt.Sprintf("%c%.1f %.1f", "ML"[min(i, 1)], q.X, q.Y)
			}
			l.End = l.Points[len(l.Points)-1]
			l.Label = mark{l.End.Y, s.label}
			one.Lines = append(one.Lines, l)
		}
		spreadLabels(one.Lines)
		p.Panels = append(p.Panels, one)
	}
	return plotTemplate.Execute(w, p)
}

func drawn(client string) bool {
	for _, s := range series {
		if s.client == client {
			return true
		}
	}
	return false
}

// spreadLabels moves labels apart, up and down alike, so that none covers
// another.
func spreadLabels(lines []line) {
	labels := make([]*mark, len(lines))
	for i := range lines {
		labels[i] = &lines[i].Label
	}
	slices.SortStableFunc(labels, func(a, b *mark) int { return cmp.Compare(a.At, b.At) })
	for range 200 {
		for i := 1; i < len(labels); i++ {
			if missing := labelApart - (labels[i].At - labels[i-1].At); missing > 0 {
				labels[i-1].At -= missing / 2
				labels[i].At += missing / 2
			}
		}
	}
}

// thousands writes a number with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
