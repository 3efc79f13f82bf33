package main

import (
	"bytes"
	"fmt"
	"image/color"
	"os"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	canvas "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// What is drawn: a panel for each round-trip time, rate against connections.
var (
	roundTrips  = []int{0, 5, 20} // ms
	connections = []int{1, 2, 5, 10}
	clients     = []struct {
		name, label string
		color       color.RGBA
		dashes      []vg.Length
	}{
		{"ours", "invitemailer", color.RGBA{0x00, 0x72, 0xb2, 0xff}, nil},
		{"grouped-limit", "limit of SMTP", color.RGBA{0x6e, 0x77, 0x81, 0xff}, []vg.Length{2, 4}},
		{"net-smtp", "net/smtp", color.RGBA{0x00, 0x79, 0x5a, 0xff}, nil},
		{"go-smtp", "go-smtp", color.RGBA{0xa8, 0x49, 0x7f, 0xff}, []vg.Length{6, 4}},
		{"go-mail", "go-mail", color.RGBA{0xd5, 0x5e, 0x00, 0xff}, nil},
	}
)

// draw draws the rates of submission. Both axes are logarithmic: a client whose rate
// grows with its connections is a straight line.
func draw(file string, r results) error {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	svg := vgsvg.New(24*vg.Centimeter, 8*vg.Centimeter)
	tiles := canvas.Tiles{
		Rows: 1, Cols: len(roundTrips), PadX: vg.Points(12), PadTop: vg.Points(6), PadRight: vg.Points(12),
	}
	for i, rtt := range roundTrips {
		p, err := panel(rtt, r)
		if err != nil {
			return err
		}
		p.Draw(tiles.At(canvas.New(svg), i, 0))
	}
	var text bytes.Buffer
	if _, err := svg.WriteTo(&text); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o644) //nolint:gosec // it is published
}

// panel shows the clients over one round-trip time; the first has room for a legend.
func panel(rtt int, r results) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("round trips of %d ms", rtt)
	p.X.Label.Text, p.Y.Label.Text = "connections", "messages a second"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.Y.Tick.Marker = plot.LogTicks{Prec: -1}
	p.Add(plotter.NewGrid())
	var ticks plot.ConstantTicks
	for _, n := range connections {
		ticks = append(ticks, plot.Tick{Value: float64(n), Label: strconv.Itoa(n)})
	}
	p.X.Tick.Marker = ticks
	p.Legend.Padding = vg.Points(2)
	for _, c := range clients {
		var points plotter.XYs
		for _, n := range connections {
			want := name{toServer(rtt, n, c.name), "msgs/s"}
			for _, x := range r {
				if x.name == want && x.value > 0 {
					points = append(points, plotter.XY{X: float64(n), Y: x.value})
				}
			}
		}
		if len(points) == 0 {
			return nil, fmt.Errorf("there are no rates of %s with round trips of %d ms: measure the part submission",
				c.name, rtt)
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.Color, dots.Color, dots.Shape = c.color, c.color, canvas.CircleGlyph{}
		line.Width, line.Dashes = vg.Points(1.5), c.dashes
		p.Add(line, dots)
		if rtt == roundTrips[0] {
			p.Legend.Add(c.label, line, dots)
		}
	}
	p.Y.Min, p.Y.Max = 5, 100_000 // the same for all
	return p, nil
}
