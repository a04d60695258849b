package emit

import (
	"reflect"
	"strings"
	"text/template"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/jsonschema"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// wordingFuncs are the funcs that execute templates.
func wordingFuncs(templates *template.Template) template.FuncMap {
	w := &words{templates: templates, byTopic: map[string]string{}}
	return template.FuncMap{
		"wording":        func(s model.Setting) (model.Comment, error) { return w.wording(&s) },
		"configSchema":   w.configSchema,
		"schemaLine":     w.schemaLine,
		"configSettings": w.configSettings,
		"shownSettings":  w.shownSettings,
	}
}

// executed are the templates that these funcs execute, with the type of their data.
func executed(templates *template.Template) map[string]reflect.Type {
	names := map[string]reflect.Type{
		"aboutSetting":     reflect.TypeFor[*model.Setting](),
		"setting":          reflect.TypeFor[*wordedSetting](),
		"withheldSetting":  reflect.TypeFor[*wordedSetting](),
		"describedSetting": reflect.TypeFor[*wordedSetting](),
	}
	for _, t := range templates.Templates() {
		if strings.HasPrefix(t.Name(), wordingPrefix) {
			names[t.Name()] = nil
		}
	}
	return names
}

// wordingPrefix stands before the topic in the name of a template.
const wordingPrefix = "wording "

// words are what the templates call things.
type words struct {
	templates *template.Template
	byTopic   map[string]string // they have no data, and every service has most of them
	service   *model.Service    // whose settings were worded last
	settings  []*wordedSetting  // its settings, in their order
	byPath    map[string]*wordedSetting
	schema    *jsonschema.Schema // of its config.yaml; nil until it is wanted
}

// wordedSetting is a setting with what is said of it: the data of the templates
// "setting", "withheldSetting" and "describedSetting".
type wordedSetting struct {
	Setting   model.Setting
	Wording   model.Comment
	About     string   // by the template "aboutSetting"; empty for a section
	Unchecked []string // the rules of buf.validate that the schema does not check
	inConfig  string   // by the template "setting"
}

// wording says what a setting is about: by the template "wording TOPIC", then what the
// contract says.
func (w *words) wording(s *model.Setting) (model.Comment, error) {
	if s.Topic == "" {
		return s.Comment, nil
	}
	wording, ok := w.byTopic[s.Topic]
	if !ok {
		var err error
		if wording, err = w.execute(wordingPrefix+s.Topic, nil); err != nil {
			return "", err
		}
		w.byTopic[s.Topic] = wording
	}
	if s.Comment == "" {
		return model.Comment(strings.TrimSuffix(wording, "\n")), nil
	}
	return model.Comment(strings.TrimSuffix(wording+"\n"+string(s.Comment), "\n")), nil
}

func (w *words) execute(name string, data any) (string, error) {
	var text strings.Builder
	err := w.templates.ExecuteTemplate(&text, name, data)
	return text.String(), err
}

// word says all of a setting that does not depend on where it is said.
func (w *words) word(s model.Setting) (*wordedSetting, error) {
	wording, err := w.wording(&s)
	if err != nil {
		return nil, err
	}
	worded := &wordedSetting{Setting: s, Wording: model.Comment(Comment("", wording))}
	if !s.Section {
		worded.About, err = w.execute("aboutSetting", &s)
	}
	return worded, err
}

// use words the settings of a service, which several of its files say in turn.
func (w *words) use(s *model.Service) error {
	if w.service == s {
		return nil
	}
	w.service, w.settings, w.byPath, w.schema = nil, nil, map[string]*wordedSetting{}, nil
	for _, setting := range s.Settings() {
		worded, err := w.word(setting)
		if err != nil {
			return err
		}
		if worded.inConfig, err = w.execute("setting", worded); err != nil {
			return err
		}
		w.settings = append(w.settings, worded)
		w.byPath[setting.Path] = worded
	}
	w.service = s
	return nil
}

// configSettings are the keys of config.yaml, by the template "setting".
func (w *words) configSettings(s *model.Service) (string, error) {
	if err := w.use(s); err != nil {
		return "", err
	}
	var text strings.Builder
	for _, one := range w.settings {
		text.WriteString(one.inConfig)
	}
	return text.String(), nil
}

// shownSettings are those keys in a file that is shown around, behind a margin: by the
// template "withheldSetting" where the value has no place in it.
func (w *words) shownSettings(s *model.Service, margin string) (string, error) {
	if err := w.use(s); err != nil {
		return "", err
	}
	var text strings.Builder
	for _, one := range w.settings {
		shown := one.inConfig
		if one.Setting.Withheld {
			var err error
			if shown, err = w.execute("withheldSetting", one); err != nil {
				return "", err
			}
		}
		for line := range strings.Lines(shown) {
			if line != "\n" {
				text.WriteString(margin)
			}
			text.WriteString(line)
		}
	}
	return text.String(), nil
}

// configSchema is the JSON Schema of config.yaml, in the words of config.yaml.
func (w *words) configSchema(s *model.Service, comment, title, description string) (string, error) {
	schema, err := w.schemaOf(s)
	if err != nil {
		return "", err
	}
	schema.Comment, schema.Title, schema.Description = comment, title, description
	return schema.Text()
}

// schemaLine is the same on one line, without words.
func (w *words) schemaLine(s *model.Service) (string, error) {
	schema, err := w.schemaOf(s)
	if err != nil {
		return "", err
	}
	return schema.Line()
}

func (w *words) schemaOf(s *model.Service) (*jsonschema.Schema, error) {
	if err := w.use(s); err != nil {
		return nil, err
	}
	if w.schema == nil {
		var err error
		if w.schema, err = model.ConfigSchema(s, w.description); err != nil {
			return nil, err
		}
	}
	return w.schema, nil
}

// description words a setting, and the rules that its schema does not check.
func (w *words) description(s model.Setting, unchecked []string) (string, error) {
	worded := w.byPath[s.Path]
	if worded == nil || worded.Setting != s { // one that config.yaml does not show
		var err error
		if worded, err = w.word(s); err != nil {
			return "", err
		}
	}
	worded.Unchecked = unchecked
	text, err := w.execute("describedSetting", worded)
	return strings.TrimSpace(text), err
}
