package inbox

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/ringback/ringback/internal/words"
)

//go:embed assets
var assets embed.FS

//go:embed templates
var templates embed.FS

// pages are the templates, by name.
type pages map[string]*template.Template

// parsePages reads every template. The parts are known to all pages.
func parsePages(w words.Words) pages {
	base := template.Must(template.New("").Funcs(functions(w)).ParseFS(templates, "templates/frame.html", "templates/parts.html"))
	all := make(pages)
	names, err := fs.Glob(templates, "templates/page-*.html")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for _, name := range names {
		page := template.Must(template.Must(base.Clone()).ParseFS(templates, name))
		all[strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "page-"), ".html")] = page
	}
	return all
}

// assetURL returns where an asset is. A changed one is somewhere else.
func assetURL(name string) string {
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // a template names an asset that is not there
	}
	sum := sha256.Sum256(text)
	return "/assets/" + name + "?v=" + hex.EncodeToString(sum[:6])
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	// Nothing in it is anybody's, and its URL changes with it.
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = bytes.NewReader(text).WriteTo(w) // the browser may be gone
}
