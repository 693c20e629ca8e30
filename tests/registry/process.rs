//! A docker-registry of its own for each test, on a port of its own, in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long it may take to start, on a machine that is busy.
const STARTS_WITHIN: Duration = Duration::from_mins(1);

/// A registry that runs as long as this.
pub struct Registry {
    /// Host and port.
    pub address: String,
    child: Child,
    folder: PathBuf,
}

/// How one signs in to it.
pub enum Auth {
    /// Nobody needs to.
    Nobody,
    /// `me` with the password `word`.
    Basic,
    /// With a token of the service at this address.
    Token(String),
}

impl Registry {
    /// Starts one, and waits until it answers.
    pub async fn start(name: &str, auth: &Auth) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("registry-{name}"));
        fs::create_dir_all(&folder).expect("a folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = port.local_addr().expect("its address").to_string();
        drop(port);
        let config = folder.join("config.yaml");
        fs::write(&config, settings(&folder, &address, auth)).expect("its settings");
        let log = fs::File::create(folder.join("log")).expect("its log");
        let child = Command::new(program())
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the same"))
            .stderr(log)
            .spawn()
            .expect("docker-registry starts");
        let registry = Self {
            address,
            child,
            folder,
        };
        registry.answers().await;
        registry
    }

    async fn answers(&self) {
        let began = Instant::now();
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let url = format!("http://{}/v2/", self.address);
        while client.get(&url).send().await.is_err() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(
                began.elapsed() < STARTS_WITHIN,
                "docker-registry does not start: {log}"
            );
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program: of the machine, or as `tests/tools/node-packages` unpacked it.
fn program() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/node-packages");
    let found = Command::new(&script)
        .arg("--where")
        .output()
        .expect("node-packages");
    let unpacked = String::from_utf8(found.stdout).expect("a path");
    let unpacked = Path::new(unpacked.trim()).join("docker-registry/usr/bin/docker-registry");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("docker-registry"));
    on_path
        .chain([unpacked])
        .find(|program| program.is_file())
        .unwrap_or_else(|| {
            panic!("there is no docker-registry: `make tools` brings it where there is apt-get; elsewhere put the program of https://github.com/distribution/distribution into the PATH by that name")
        })
}

fn settings(folder: &Path, address: &str, auth: &Auth) -> String {
    let common = format!(
        "version: 0.1\nlog: {{level: info}}\nstorage: {{inmemory: {{}}}}\nhttp: {{addr: \"{address}\"}}\n"
    );
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registry");
    let auth = match auth {
        Auth::Nobody => String::new(),
        Auth::Basic => {
            // bcrypt of `word`, the one form that is taken.
            let line = "me:$2b$05$abcdefghijklmnopqrstuuQDoL5Sa/TtfS/XN4AY/jgq.HBbO1BTu\n";
            let file = folder.join("htpasswd");
            fs::write(&file, line).expect("its passwords");
            format!(
                "auth: {{htpasswd: {{realm: test, path: \"{}\"}}}}\n",
                file.display()
            )
        }
        Auth::Token(realm) => format!(
            "auth: {{token: {{realm: \"{realm}\", service: registry, issuer: test, rootcertbundle: \"{}\"}}}}\n",
            keys.join("token-service.crt").display()
        ),
    };
    common + &auth
}
