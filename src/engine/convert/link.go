package convert

import (
	"net/url"
	"regexp"
	"strings"
)

var (
	links      = regexp.MustCompile(`https?://[^\s<>"]+`)
	separators = regexp.MustCompile(`[-_/+.]+`)
)

// firstLink is the first link of a text, without the punctuation that follows it; empty if there is none.
func firstLink(text string) string {
	return strings.TrimRight(links.FindString(text), ".,;:!?'”’)]}")
}

// linkTitle says what a link is about in the link's own words: the host, and the last part of the path if it has words.
func linkTitle(link string) string {
	parsed, err := url.Parse(link)
	if err != nil || parsed.Host == "" {
		return link
	}
	host := strings.TrimPrefix(parsed.Hostname(), "www.")
	path := strings.Trim(parsed.Path, "/")
	words := strings.TrimSpace(separators.ReplaceAllString(path[strings.LastIndexByte(path, '/')+1:], " "))
	if words == "" {
		return host
	}
	return words + " · " + host
}
