//! Variables of the environment, and what is never shown.

use insta::assert_snapshot;
use observatory::manifest::{Problem, render};

use super::{read, said_of, with_check, with_edge, with_top};

#[test]
fn variables_are_put_in() {
    let text = with_check("within = \"${WITHIN}\"").replace("\"db\"", "\"db-${NODE}-${NODE}\"");
    let manifest = read(&text).unwrap();
    assert_eq!(manifest.system.nodes, ["web", "db-hidden-node-hidden-node"]);
    let check = manifest.system.streams[0].edges[0].check.as_ref().unwrap();
    assert_eq!((check.within_us, check.within_text.as_str()), (250_000, "250ms"));
}

#[test]
fn variables_that_are_not_there() {
    let said = said_of([
        with_top("name = \"${NAME}\"\ndescription = \"${SECRET} ${OTHER} ${MORE}\""),
        with_top("name = \"${}\"\ndescription = \"${a b} and ${open\""),
    ]);
    assert_snapshot!(said);
}

#[test]
fn passwords_on_shown_lines_are_masked() {
    let amqp = |url: &str| with_top(&format!("[[input.amqp]]\nqueue = \"q\"\n{url}"));
    let said = said_of([
        amqp("url = \"http://guest:hunter2@localhost\""),
        amqp("ulr = \"amqp://guest:hunter2@localhost\""),
        amqp("url = \"amqp://guest:hunter2@localhost"),
        amqp("url = amqp://guest:hunter2@localhost"),
        amqp("url = [\"amqp://guest:hunter2@localhost\"]"),
        amqp("url = \"http://guest:${SECRET}@localhost\""),
        with_top("input = { amqp = [{ url = \"amqp://guest:hunter2@localhost\", qeue = \"q\", prefetch = 0 }] }"),
        with_top("[server]\nlisten = \"amqp://guest:hunter2@localhost\""),
    ]);
    assert_snapshot!(said);
}

/// Every place that takes a string, with a variable in it that is not what belongs there.
#[test]
fn no_secret_is_ever_said() {
    let texts = [
        with_top("grace = \"${SECRET}\"\nunknown_nodes = \"${SECRET}\""),
        with_top("[server]\nlisten = \"${SECRET}\"\naccess = \"${SECRET}\"\nlayout = \"${SECRET}\""),
        with_top(
            "[server]\ndata_dir = [\"${SECRET}\"]\njournal = { max_size = \"${SECRET}\", max_age = \"${SECRET}\" }",
        ),
        with_top(
            "[[input.amqp]]\nurl = \"${SECRET}\"\nqueue = \"${SECRET}\"\nname = \"${SECRET}\"\n[[input.log]]\nname = \"${SECRET}\"\npath = \"${SECRET}/a***\"",
        ),
        with_top("[input.http]\nnodes = [\"${SECRET}\", \"hidden-nod\"]"),
        with_edge("name = \"${SECRET}\"").replace("\"orders\"", "\"${SECRET}!\""),
        with_edge("").replace("\"db\"", "\"${SECRET}\"").replace("\"web\"", "\"${SECRET}\""),
        with_edge("")
            .replace("[[stream.edge]]", "nodes = [\"${SECRET}\", \"${NODE}\", \"${NODE}\"]\n[[stream.edge]]")
            .replace("web", "hidden-nod"),
        format!("{0}{0}", with_edge("").replace("orders", "${SECRET}")),
        with_edge("[[stream.edge]]\nfrom = \"db\"\nto = \"web\"").replace("web", "${SECRET}"),
        with_check("within = \"${SECRET}\", warn = \"${SECRET}\", window = \"${SECRET}\", kind = \"${SECRET}\""),
    ];
    for text in texts {
        let problems: Vec<Problem> = match read(&text) {
            Ok(manifest) => manifest.warnings,
            Err(problems) => problems,
        };
        assert!(!problems.is_empty(), "nothing is wrong with\n{text}");
        let said = format!("{}{problems:?}", render(&problems, true));
        for secret in ["hunter2", "hidden-node"] {
            assert!(!said.contains(secret), "{secret} is said:\n{}", render(&problems, false));
        }
    }
}
