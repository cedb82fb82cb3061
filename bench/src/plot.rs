//! Growth as a picture: lines over two logarithmic axes, so that what grows linearly rises by 45° and what stays as it is lies flat.

use std::fmt::Write as _;

use crate::Result;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const BELOW: f64 = 50.0;
const COLORS: [&str; 6] = ["#c2410c", "#475569", "#15803d", "#1d4ed8", "#a21caf", "#a16207"];

/// What is drawn.
pub(crate) struct Plot {
    /// The powers of ten that the axes show: to the right, and up.
    pub(crate) right: (i32, i32),
    pub(crate) up: (i32, i32),
    /// What a value on the upward axis is called.
    pub(crate) label: fn(f64) -> String,
    pub(crate) lines: Vec<Line>,
}

/// A line with its points, to the right and up; all are above 0.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Plot {
    /// An SVG document.
    pub(crate) fn svg(&self) -> Result<String> {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        for power in self.right.0..=self.right.1 {
            let x = self.along(f64::from(power));
            let (top, bottom) =
                (self.height(f64::from(self.up.1)), self.height(f64::from(self.up.0)));
            writeln!(svg, "<path d=\"M{x:.1} {top:.1}V{bottom:.1}\" stroke=\"#ddd\"/>")?;
            let (y, value) = (bottom + 18.0, 10_f64.powi(power));
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{value}</text>")?;
        }
        for power in self.up.0..=self.up.1 {
            let y = self.height(f64::from(power));
            let (left, right) =
                (self.along(f64::from(self.right.0)), self.along(f64::from(self.right.1)));
            writeln!(svg, "<path d=\"M{left:.1} {y:.1}H{right:.1}\" stroke=\"#ddd\"/>")?;
            let (x, y, label) = (left - 8.0, y + 4.0, (self.label)(10_f64.powi(power)));
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{label}</text>")?;
        }
        let mut y = 40.0;
        for (Line { name, points }, color) in self.lines.iter().zip(COLORS.iter().cycle()) {
            let place = |(x, y): &(f64, f64)| {
                format!("{:.1},{:.1}", self.along(x.log10()), self.height(y.log10()))
            };
            let points = points.iter().map(place).collect::<Vec<_>>().join(" ");
            writeln!(
                svg,
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\n\
                 <text x=\"{}\" y=\"{y}\" fill=\"{color}\">{name}</text>",
                LEFT + 20.0
            )?;
            y += 18.0;
        }
        svg.push_str("</svg>\n");
        Ok(svg)
    }

    fn along(&self, power: f64) -> f64 {
        let (first, last) = (f64::from(self.right.0), f64::from(self.right.1));
        LEFT + (power - first) / (last - first) * (WIDTH - LEFT - 30.0)
    }

    fn height(&self, power: f64) -> f64 {
        let (first, last) = (f64::from(self.up.0), f64::from(self.up.1));
        let share = ((power - first) / (last - first)).clamp(0.0, 1.0);
        HEIGHT - BELOW - share * (HEIGHT - BELOW - 20.0)
    }
}
