<?php
// SabreDAV 1.8 on SQLite for one user, asked by PHP's own server. DATABASE is the file.

spl_autoload_register(function ($name) {
    $file = getenv('PHP_LIBRARY') . '/' . str_replace('\\', '/', $name) . '.php';
    if (is_file($file)) {
        require_once $file;
    }
});

class Alice implements Sabre\DAV\Auth\Backend\BackendInterface
{
    public function authenticate(Sabre\DAV\Server $server, $realm)
    {
        return true;
    }

    public function getCurrentUser()
    {
        return 'alice';
    }
}

error_reporting(E_ALL & ~E_DEPRECATED & ~E_STRICT & ~E_WARNING & ~E_NOTICE);
date_default_timezone_set('UTC');
$pdo = new PDO('sqlite:' . getenv('DATABASE'));
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$people = new Sabre\DAVACL\PrincipalBackend\PDO($pdo);
$server = new Sabre\DAV\Server([
    new Sabre\CalDAV\Principal\Collection($people),
    new Sabre\CalDAV\CalendarRootNode($people, new Sabre\CalDAV\Backend\PDO($pdo)),
]);
$server->setBaseUri('/');
$server->addPlugin(new Sabre\DAV\Auth\Plugin(new Alice(), 'Bench'));
$server->addPlugin(new Sabre\DAVACL\Plugin());
$server->addPlugin(new Sabre\CalDAV\Plugin());
$server->exec();
