package view

import (
	"strconv"
	"strings"
)

var white = map[string]bool{
	"white": true, "#fff": true, "#ffffff": true, "#fffffe": true, "#fefefe": true, "transparent": true, "rgb(255,255,255)": true, "#fff0": true,
	"snow": true, "ivory": true, "rgba(0,0,0,0)": true, "rgba(255,255,255,0)": true, "hsl(0,0%,100%)": true, "#ffffff00": true, "#00000000": true,
}

// invisibleStyle reports whether CSS declarations make text unseen. White text
// counts unless a background is set beside it.
func invisibleStyle(style string) bool {
	var colour, background string
	for d := range strings.SplitSeq(strings.ToLower(plainStyle(style)), ";") {
		name, value, ok := strings.Cut(d, ":")
		if !ok {
			continue
		}
		name = strings.TrimSpace(name)
		value = strings.Join(strings.Fields(strings.TrimSuffix(strings.TrimSpace(value), "!important")), "")
		switch name {
		case "color", "-webkit-text-fill-color":
			colour = value
		case "background", "background-color":
			background = value
		default:
			if hiding(name, value) {
				return true
			}
		}
	}
	return colour != "" && (colour == background || white[colour] && (background == "" || white[background]))
}

// plainStyle writes out what CSS and HTML let somebody write otherwise: entities, comments
// inside of words, and letters as numbers.
func plainStyle(style string) string {
	if strings.IndexByte(style, '&') >= 0 {
		style = unescapeAll(style)
	}
	if !strings.Contains(style, "/*") && strings.IndexByte(style, '\\') < 0 {
		return style
	}
	var out strings.Builder
	for i := 0; i < len(style); i++ {
		if strings.HasPrefix(style[i:], "/*") {
			k := strings.Index(style[i+2:], "*/")
			if k < 0 {
				break
			}
			i += k + 3
			continue
		}
		if style[i] == '\\' {
			if v, n := number(style[i+1:], 16, 1, 6); n > 0 {
				out.WriteRune(rune(v))
				if i += n; i+1 < len(style) && style[i+1] == ' ' {
					i++
				}
			}
			continue
		}
		out.WriteByte(style[i])
	}
	return out.String()
}

// hiding reports whether one declaration hides.
func hiding(name, value string) bool {
	switch name {
	case "display":
		return value == "none"
	case "visibility":
		return value == "hidden" || value == "collapse"
	case "opacity":
		return lengthOf(value) < 0.05
	case "filter":
		inner, ok := strings.CutPrefix(value, "opacity(")
		return ok && lengthOf(inner) < 0.05
	case "font":
		return strings.HasPrefix(value, "0/") || strings.HasPrefix(value, "0px")
	case "scale", "zoom":
		return lengthOf(value) == 0
	case "font-size", "line-height":
		return lengthOf(value) <= 1 && !strings.HasSuffix(value, "em") && (name == "font-size" && value != "1" || lengthOf(value) == 0) || lengthOf(value) < 0.1
	case "height", "width", "max-height", "max-width":
		return lengthOf(value) == 0
	case "left", "top", "right", "bottom", "text-indent", "margin-left", "margin-top":
		return lengthOf(value) <= -500
	case "clip", "clip-path":
		return strings.HasPrefix(value, "rect(0") || strings.HasPrefix(value, "rect(1px") || strings.HasPrefix(value, "inset(100%") || strings.HasPrefix(value, "inset(50%") || strings.HasPrefix(value, "circle(0")
	case "transform":
		return strings.HasPrefix(value, "scale(0)") || strings.HasPrefix(value, "translate(-9") || strings.HasPrefix(value, "translatex(-9")
	case "mso-hide":
		return value == "all"
	}
	return false
}

// lengthOf is the number a length begins with; a large one if there is none.
func lengthOf(value string) float64 {
	end := 0
	for end < len(value) && (asciiDigit(value[end]) || value[end] == '.' || value[end] == '-') {
		end++
	}
	v, err := strconv.ParseFloat(value[:end], 64)
	if err != nil {
		return 1e6
	}
	return v
}
