use observatory::manifest::{Source, load, render};

#[test]
fn shipped_manifests_load() {
    for name in ["intro", "minimal", "shop"] {
        let manifest = load(&Source::Path(format!("manifests/{name}.toml").into()));
        let manifest = manifest.unwrap_or_else(|problems| panic!("{}", render(&problems, false)));
        println!("{}{}", render(&manifest.warnings, false), render(&manifest.not_built, false));
        println!("{:#?}", manifest.system);
    }
}
