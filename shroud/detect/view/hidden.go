package view

// findHidden looks for what a page or document hides from people's eyes.
func (n *Normal) findHidden() {
}
